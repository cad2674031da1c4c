! SPDX-License-Identifier: MIT
!> Reader of Tinker restart files (.dyn): box, positions and velocities; forces are computed afresh.
module fennix_read_dyn
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_strings, only : lower, split, string_type, to_integer, to_real
   use fennix_cell, only : cell_type, new_cell
   use fennix_text_file, only : at_line, close_text, next_line, open_text, text_file_type
   implicit none
   private
   public :: dyn_type, read_dyn

   !> Content of a restart file
   type :: dyn_type
      !> The file has a box (its six numbers are not zero)
      logical :: has_box = .false.
      type(cell_type) :: cell
      !> Å, (3, n)
      real(dp), allocatable :: position(:, :)
      !> Å/ps, (3, n); not allocated when the file has none
      real(dp), allocatable :: velocity(:, :)
      !> Lattice vectors to be added to the positions, (3, n); not allocated when the file does not say
      integer(i4), allocatable :: image(:, :)
      !> Outer and inner step from the title, -1 when it does not say
      integer(i8) :: step = -1, inner_step = -1
      !> Simulated time from the title, ps, negative when it does not say
      real(dp) :: time = -1.0_dp
   end type dyn_type

contains


!> Read a restart file of n atoms
subroutine read_dyn(self, path, n, error)
   type(dyn_type), intent(out) :: self
   character(len=*), intent(in) :: path
   !> Atoms of the structure
   integer, intent(in) :: n
   type(error_type), allocatable, intent(out) :: error
   type(text_file_type) :: file
   character(len=:), allocatable :: line
   real(dp) :: box(3, 2)
   logical :: done

   call open_text(file, path, error)
   if (allocated(error)) return
   do
      call next_line(file, line, done)
      if (done) exit
      line = lower(line)
      if (index(line, "number of atoms") > 0) then
         call read_title(self, file, n, error)
      else if (index(line, "periodic box") > 0) then
         call read_rows(file, "the box", box, error)
         if (.not. allocated(error)) call set_box(self, file, box, error)
      else if (index(line, "current atomic positions") > 0) then
         allocate(self%position(3, n))
         call read_rows(file, "the positions", self%position, error)
      else if (index(line, "current atomic velocities") > 0) then
         allocate(self%velocity(3, n))
         call read_rows(file, "the velocities", self%velocity, error)
      else if (index(line, "pbc wrap index") > 0) then
         call read_images(self, file, n, error)
      end if
      if (allocated(error)) exit
   end do
   call close_text(file)
   if (allocated(error) .or. allocated(self%position)) return
   call fatal_error(error, path // ": this is no Tinker restart file, there are no 'Current Atomic Positions' in it")
end subroutine read_dyn


!> Number of atoms and title; ours carries "step N inner M time T"
subroutine read_title(self, file, n, error)
   type(dyn_type), intent(inout) :: self
   type(text_file_type), intent(inout) :: file
   integer, intent(in) :: n
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: line
   type(string_type), allocatable :: words(:)
   integer(i8) :: n_file, step, inner
   real(dp) :: time
   integer :: k
   logical :: done, ok, both

   call next_line(file, line, done)
   call split(lower(line), words)
   ok = size(words) > 0
   if (ok) call to_integer(words(1)%text, n_file, ok)
   if (.not. ok) then
      call fatal_error(error, at_line(file) // "expected the number of atoms, got '" // trim(adjustl(line)) // "'")
      return
   end if
   if (n_file /= n) then
      call fatal_error(error, at_line(file) // "this restart file has " // to_text(n_file) // &
         & " atoms, the structure has " // to_text(n) // "; remove it to start from the structure")
      return
   end if
   do k = 2, size(words) - 3
      if (words(k)%text /= "step" .or. words(k + 2)%text /= "inner") cycle
      call to_integer(words(k + 1)%text, step, ok)
      call to_integer(words(k + 3)%text, inner, both)
      if (.not. (ok .and. both) .or. min(step, inner) < 0) cycle
      self%step = step
      self%inner_step = inner
      if (k + 5 > size(words)) cycle
      if (words(k + 4)%text /= "time") cycle
      call to_real(words(k + 5)%text, time, ok)
      if (ok) self%time = time
   end do
end subroutine read_title


!> Three numbers in each of some lines
subroutine read_rows(file, what, rows, error)
   type(text_file_type), intent(inout) :: file
   !> What is read, for messages
   character(len=*), intent(in) :: what
   real(dp), intent(out) :: rows(:, :)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: line
   type(string_type), allocatable :: words(:)
   integer :: i, k
   logical :: done, ok

   rows = 0.0_dp
   do i = 1, size(rows, 2)
      call next_line(file, line, done)
      call split(line, words)
      ok = size(words) == 3
      do k = 1, 3
         if (ok) call to_real(words(k)%text, rows(k, i), ok)
      end do
      if (done) call fatal_error(error, file%path // ": the file ends within " // what // ", at line " // &
         & to_text(file%line))
      if (.not. done .and. .not. ok) call fatal_error(error, at_line(file) // "expected three numbers (" // what // &
         & ", row " // to_text(i) // " of " // to_text(size(rows, 2)) // "), got '" // trim(adjustl(line)) // "'")
      if (allocated(error)) return
   end do
end subroutine read_rows


!> How often each atom left the box, along each of its vectors
subroutine read_images(self, file, n, error)
   type(dyn_type), intent(inout) :: self
   type(text_file_type), intent(inout) :: file
   integer, intent(in) :: n
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: rows(:, :)

   allocate(rows(3, n))
   call read_rows(file, "the wrap indices", rows, error)
   if (.not. allocated(error)) self%image = nint(rows, i4)
end subroutine read_images


!> Lengths and angles to a cell; zeros mean an isolated system
subroutine set_box(self, file, box, error)
   type(dyn_type), intent(inout) :: self
   type(text_file_type), intent(in) :: file
   real(dp), intent(in) :: box(3, 2)
   type(error_type), allocatable, intent(out) :: error

   self%has_box = any(abs(box(:, 1)) > 0.0_dp)
   if (.not. self%has_box) return
   call new_cell(self%cell, box(:, 1), box(:, 2), error)
   if (allocated(error)) error%message = at_line(file) // error%message
end subroutine set_box

end module fennix_read_dyn
