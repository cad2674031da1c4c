! SPDX-License-Identifier: MIT
!> The command line: NAME [steps timestep dump ensemble temperature pressure] and options.
module fennix_arguments
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, fatal_error
   use fennix_settings, only : job_check, job_dynamic, job_help, job_keywords, job_minimize, job_rerun, job_version
   use fennix_strings, only : append, nearest_word, string_type, to_real
   implicit none
   private
   public :: arguments_type, parse_arguments, command_words, positional_keyword

   type :: arguments_type
      !> One of job_* of fennix_settings
      integer :: job = job_dynamic
      !> NAME as typed, empty when none was given
      character(len=:), allocatable :: name
      !> Values after NAME in Tinker's order, each the value of one keyword (see positional_keyword)
      type(string_type), allocatable :: value(:)
      !> File after -k, empty when none was given
      character(len=:), allocatable :: key_file
      !> File after --rerun
      character(len=:), allocatable :: rerun_file
      !> --resume was given
      logical :: resume = .false.
      !> --verbose was given
      logical :: verbose = .false.
      !> Called from Python: nothing is prompted for and the number of steps may be missing
      logical :: embedded = .false.
      !> The atoms come as arrays: no structure file is looked for
      logical :: has_arrays = .false.
   end type arguments_type

   integer, parameter :: n_positional = 6
   !> Keywords of which the values after NAME are, in Tinker's order
   character(len=*), parameter :: positional(n_positional) = [character(len=12) :: &
      & "steps", "timestep", "dump", "ensemble", "temperature", "pressure"]

   integer, parameter :: n_options = 13
   character(len=*), parameter :: option_names(n_options) = [character(len=10) :: "-k", "-v", "-h", &
      & "--key", "--verbose", "--help", "--version", "--keywords", "--check", "--resume", "--minimize", &
      & "--rerun", "--minimise"]

contains


!> Understand the words of the command line (without the program's own name)
subroutine parse_arguments(self, words, error)
   type(arguments_type), intent(out) :: self
   type(string_type), intent(in) :: words(:)
   type(error_type), allocatable, intent(out) :: error
   integer :: i

   self%name = ""
   self%key_file = ""
   self%rerun_file = ""
   allocate(self%value(0))
   i = 0
   do while (i < size(words))
      i = i + 1
      if (is_option(words(i)%text)) then
         call take_option(self, words, i, error)
      else
         call take_word(self, words(i)%text, error)
      end if
      if (allocated(error)) return
   end do
end subroutine parse_arguments


!> The words of this program's command line
subroutine command_words(words)
   type(string_type), allocatable, intent(out) :: words(:)
   integer :: i, length

   allocate(words(command_argument_count()))
   do i = 1, size(words)
      call get_command_argument(i, length=length)
      allocate(character(len=length) :: words(i)%text)
      if (length > 0) call get_command_argument(i, words(i)%text)
   end do
end subroutine command_words


!> Keyword of the i-th value after NAME
pure function positional_keyword(i) result(keyword)
   integer, intent(in) :: i
   character(len=:), allocatable :: keyword

   keyword = trim(positional(i))
end function positional_keyword


!> A word that begins with a dash and is no number
pure function is_option(word)
   character(len=*), intent(in) :: word
   logical :: is_option
   real(dp) :: value
   logical :: number

   is_option = .false.
   if (len(word) < 2) return
   call to_real(word, value, number)
   is_option = word(1:1) == "-" .and. .not. number
end function is_option


!> NAME, or the next value after it
subroutine take_word(self, word, error)
   type(arguments_type), intent(inout) :: self
   character(len=*), intent(in) :: word
   type(error_type), allocatable, intent(out) :: error

   if (len(self%name) == 0) then
      self%name = word
   else if (size(self%value) == n_positional) then
      call fatal_error(error, "command line: '" // word // "' is one word too many; after NAME come at most " // &
         & "nsteps, dt (fs), dump (ps), ensemble, temperature and pressure")
   else
      call append(self%value, word)
   end if
end subroutine take_word


!> One option with its value, if it has one
subroutine take_option(self, words, i, error)
   type(arguments_type), intent(inout) :: self
   type(string_type), intent(in) :: words(:)
   !> Index of the option; moves on to its value
   integer, intent(inout) :: i
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: word

   word = words(i)%text
   select case (word)
   case ("-k", "--key")
      call take_value(words, i, "a keyfile", self%key_file, error)
   case ("-v", "--verbose")
      self%verbose = .true.
   case ("--resume")
      self%resume = .true.
   case ("-h", "--help")
      self%job = job_help
   case ("--version")
      call choose_job(self, job_version, word, error)
   case ("--keywords")
      call choose_job(self, job_keywords, word, error)
   case ("--check")
      call choose_job(self, job_check, word, error)
   case ("--minimize", "--minimise")
      call choose_job(self, job_minimize, word, error)
   case ("--rerun")
      call choose_job(self, job_rerun, word, error)
      if (.not. allocated(error)) call take_value(words, i, "a file of frames (.arc or .h5)", self%rerun_file, error)
   case default
      call unknown_option(word, error)
   end select
end subroutine take_option


subroutine unknown_option(word, error)
   character(len=*), intent(in) :: word
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: close_one
   type(string_type) :: candidates(n_options)
   integer :: i

   do i = 1, n_options
      candidates(i)%text = trim(option_names(i))
   end do
   close_one = nearest_word(word, candidates)
   if (len(close_one) > 0) then
      call fatal_error(error, "command line: unknown option '" // word // "', did you mean '" // close_one // "'?")
   else
      call fatal_error(error, "command line: unknown option '" // word // "'; --help lists the options")
   end if
end subroutine unknown_option


!> The word after an option
subroutine take_value(words, i, expected, value, error)
   type(string_type), intent(in) :: words(:)
   integer, intent(inout) :: i
   !> What should follow, for the message
   character(len=*), intent(in) :: expected
   character(len=:), allocatable, intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error

   if (i == size(words)) then
      call fatal_error(error, "command line: option '" // words(i)%text // "' expects " // expected // " after it")
      return
   end if
   i = i + 1
   value = words(i)%text
end subroutine take_value


!> --help wins over everything; two other jobs at once are refused
subroutine choose_job(self, job, word, error)
   type(arguments_type), intent(inout) :: self
   integer, intent(in) :: job
   character(len=*), intent(in) :: word
   type(error_type), allocatable, intent(out) :: error

   if (self%job == job_help) return
   if (self%job /= job_dynamic .and. self%job /= job) then
      call fatal_error(error, "command line: give only one of --check, --keywords, --version, --minimize and " // &
         & "--rerun; '" // word // "' is the second")
      return
   end if
   self%job = job
end subroutine choose_job

end module fennix_arguments
