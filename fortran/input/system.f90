! SPDX-License-Identifier: MIT
!> The system of a run: cell and atoms from files or arrays, with elements, masses and where the run starts from.
module fennix_system
   use fennix_kinds, only : dp, i4, i8
   use fennix_units, only : density_factor
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_settings, only : settings_type
   use fennix_cell, only : cell_type, lengths_and_angles, new_cell, new_cell_from_vectors, open_cell, volume
   use fennix_atoms, only : atoms_type
   use fennix_bonds, only : guess_bonds, has_bonds, set_bonds
   use fennix_elements, only : element_from_name, max_number, standard_mass, symbol
   use fennix_heavy_hydrogen, only : repartition_masses
   use fennix_read_dyn, only : dyn_type, read_dyn
   use fennix_structure, only : read_structure
   use fennix_text_file, only : file_exists, without_extension
   implicit none
   private
   public :: start_type, build_system, build_system_from_arrays

   !> Where a run starts from
   type :: start_type
      !> "xyz", "dyn", "chk" or "arrays"
      character(len=:), allocatable :: kind
      !> The velocities of the atoms are set
      logical :: has_velocity = .false.
      !> Outer and inner step that the restart file states, -1 unknown
      integer(i8) :: step = -1, inner_step = -1
      !> Simulated time that the restart file states, ps, negative when unknown
      real(dp) :: time = -1.0_dp
      !> Sentences to be printed, empty when there is nothing to say
      character(len=:), allocatable :: note
   end type start_type

   !> Denser than any matter, g/cm³
   real(dp), parameter :: absurd_density = 25.0_dp
   integer, parameter :: hydrogen = 1

contains


!> Read NAME.xyz, then NAME.dyn when it is there and no checkpoint is resumed
subroutine build_system(settings, cell, atoms, start, error)
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   type(start_type), intent(out) :: start
   type(error_type), allocatable, intent(out) :: error
   integer, allocatable :: line_of(:)
   character(len=:), allocatable :: box_origin

   start%kind = "xyz"
   start%note = ""
   call read_structure(settings%structure_file, cell, atoms, line_of, error)
   if (allocated(error)) return
   call assign_elements(settings, atoms, line_of, error)
   if (allocated(error)) return
   box_origin = settings%structure_file // ", line 2"
   call use_key_box(settings, cell, box_origin, error)
   if (allocated(error)) return
   if (settings%resume) then
      ! The checkpoint holds everything that a restart file could say
      start%kind = "chk"
   else if (file_exists(restart_of(settings))) then
      call use_dyn(settings, cell, atoms, start, box_origin, error)
   end if
   if (allocated(error)) return
   call complete_system(settings, box_origin, cell, atoms, start, error)
end subroutine build_system


!> The same from arrays, for Python
subroutine build_system_from_arrays(settings, numbers, position, vectors, periodic, cell, atoms, error, start, masses)
   type(settings_type), intent(in) :: settings
   !> Atomic numbers, (n)
   integer, intent(in) :: numbers(:)
   !> Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   !> Lattice vectors as columns, Å; ignored when not periodic and no box is among the keywords
   real(dp), intent(in) :: vectors(3, 3)
   logical, intent(in) :: periodic
   type(cell_type), intent(out) :: cell
   type(atoms_type), intent(out) :: atoms
   type(error_type), allocatable, intent(out) :: error
   type(start_type), intent(out), optional :: start
   !> g/mol, (n); where not positive, and without any, standard ones
   real(dp), intent(in), optional :: masses(:)
   type(start_type) :: from
   character(len=:), allocatable :: box_origin
   integer :: i

   atoms%title = ""
   atoms%n = size(numbers)
   if (atoms%n == 0) call fatal_error(error, "a system needs at least one atom")
   if (any(numbers < 1 .or. numbers > max_number)) call fatal_error(error, "atomic numbers go from 1 to " // &
      & to_text(max_number) // ", got " // to_text(minval(pack(numbers, numbers < 1 .or. numbers > max_number))))
   if (any(.not. abs(position) <= huge(1.0_dp))) call fatal_error(error, "positions must be finite numbers in Angstrom")
   if (allocated(error)) return
   atoms%number = int(numbers, i4)
   allocate(atoms%name(atoms%n))
   atoms%name(:) = symbol(numbers)
   allocate(atoms%kind(atoms%n), source=0)
   allocate(atoms%id(atoms%n), source=[(int(i, i4), i=0, atoms%n - 1)])
   allocate(atoms%mass(atoms%n), source=0.0_dp)
   allocate(atoms%position, source=position)
   allocate(atoms%velocity(3, atoms%n), source=0.0_dp)
   call set_bonds(atoms, reshape([integer ::], [2, 0]))
   call check_weights(atoms, error)
   cell = open_cell()
   box_origin = "cell"
   if (periodic .and. .not. allocated(error)) call new_cell_from_vectors(cell, vectors, error)
   if (allocated(error)) return
   call use_key_box(settings, cell, box_origin, error)
   if (allocated(error)) return
   from%kind = "arrays"
   from%note = ""
   call complete_system(settings, box_origin, cell, atoms, from, error, masses)
   if (present(start)) start = from
end subroutine build_system_from_arrays


!> Elements from the keyfile's element keywords, else from the names
subroutine assign_elements(settings, atoms, line_of, error)
   type(settings_type), intent(in) :: settings
   type(atoms_type), intent(inout) :: atoms
   !> Line of each atom in the structure file
   integer, intent(in) :: line_of(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: place, name
   logical :: bonded
   integer :: i, number, readings(2), n_bonds

   bonded = has_bonds(atoms)
   do i = 1, atoms%n
      name = trim(atoms%name(i))
      n_bonds = -1
      if (bonded) n_bonds = atoms%bond_first(i + 1) - atoms%bond_first(i)
      number = overridden(settings, name)
      if (number == 0) call element_from_name(name, n_bonds, number, readings)
      atoms%number(i) = int(number, i4)
      if (standard_mass(number) > 0.0_dp) cycle
      place = settings%structure_file // ", line " // to_text(line_of(i)) // ": "
      if (number > 0) then
         call fatal_error(error, place // weightless(i, number))
      else if (any(readings > 0)) then
         call fatal_error(error, place // "the name '" // name // "' of atom " // to_text(i) // " may be " // &
            & trim(symbol(readings(1))) // " or " // trim(symbol(readings(2))) // ", and the file has no bonds to " // &
            & "tell; say which in the keyfile: element " // name // " " // trim(symbol(readings(1))))
      else
         call fatal_error(error, place // "the name '" // name // "' of atom " // to_text(i) // &
            & " does not tell its element; state it in the keyfile, for example: element " // name // " C")
      end if
      return
   end do
end subroutine assign_elements


!> Atomic number that the keyfile states for a name, 0 when it states none
pure function overridden(settings, name) result(number)
   type(settings_type), intent(in) :: settings
   character(len=*), intent(in) :: name
   integer :: number
   integer :: k

   number = 0
   if (.not. allocated(settings%element_name)) return
   do k = 1, size(settings%element_name)
      if (settings%element_name(k)%text == name) number = settings%element_number(k)
   end do
end function overridden


!> Refuse elements without a standard weight
subroutine check_weights(atoms, error)
   type(atoms_type), intent(in) :: atoms
   type(error_type), allocatable, intent(out) :: error
   integer :: i

   do i = 1, atoms%n
      if (standard_mass(int(atoms%number(i))) > 0.0_dp) cycle
      call fatal_error(error, weightless(i, int(atoms%number(i))))
      return
   end do
end subroutine check_weights


pure function weightless(i, number) result(text)
   integer, intent(in) :: i, number
   character(len=:), allocatable :: text

   text = "atom " // to_text(i) // " is " // trim(symbol(number)) // ", an element without a standard " // &
      & "atomic weight; it cannot be simulated"
end function weightless


!> The box of the keyfile goes before that of the structure
subroutine use_key_box(settings, cell, box_origin, error)
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(inout) :: cell
   character(len=:), allocatable, intent(inout) :: box_origin
   type(error_type), allocatable, intent(out) :: error

   if (.not. settings%box_given) return
   box_origin = settings%box_origin
   call new_cell(cell, settings%box_lengths, settings%box_angles, error)
   if (allocated(error)) error%message = box_origin // ": " // error%message
end subroutine use_key_box


!> The restart file beside the structure
pure function restart_of(settings) result(path)
   type(settings_type), intent(in) :: settings
   character(len=:), allocatable :: path

   path = without_extension(settings%structure_file) // ".dyn"
end function restart_of


!> Positions, velocities and box of NAME.dyn go before those of NAME.xyz (Tinker's rule)
subroutine use_dyn(settings, cell, atoms, start, box_origin, error)
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(inout) :: cell
   type(atoms_type), intent(inout) :: atoms
   type(start_type), intent(inout) :: start
   character(len=:), allocatable, intent(inout) :: box_origin
   type(error_type), allocatable, intent(out) :: error
   type(dyn_type) :: dyn
   character(len=:), allocatable :: path
   real(dp) :: before(3, 2), after(3, 2)

   path = restart_of(settings)
   call read_dyn(dyn, path, atoms%n, error)
   if (allocated(error)) return
   start%kind = "dyn"
   start%step = dyn%step
   start%inner_step = dyn%inner_step
   start%time = dyn%time
   start%has_velocity = allocated(dyn%velocity)
   atoms%position(:, :) = dyn%position
   if (start%has_velocity) atoms%velocity(:, :) = dyn%velocity
   start%note = "Continuing from " // path // trim(merge(" (positions and velocities)", " (positions only)          ", &
      & start%has_velocity))
   if (dyn%step >= 0) start%note = start%note // ", written at step " // to_text(dyn%step)
   start%note = start%note // "; remove that file to start from " // settings%structure_file // "."
   if (.not. dyn%has_box) then
      call unwrap(dyn, cell, atoms)
      return
   end if
   after = 0.0_dp
   before = 0.0_dp
   call lengths_and_angles(dyn%cell, after(:, 1), after(:, 2))
   if (cell%periodic) call lengths_and_angles(cell, before(:, 1), before(:, 2))
   if (any(abs(after - before) > 1.0e-6_dp)) start%note = start%note // " Its box of " // to_text(after(1, 1)) // &
      & " x " // to_text(after(2, 1)) // " x " // to_text(after(3, 1)) // " Angstrom replaces the one of " // &
      & trim(merge("the keyfile  ", "the structure", settings%box_given)) // "."
   cell = dyn%cell
   box_origin = path
   call unwrap(dyn, cell, atoms)
end subroutine use_dyn


!> Put back the lattice vectors that the restart file took off
subroutine unwrap(dyn, cell, atoms)
   type(dyn_type), intent(in) :: dyn
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(inout) :: atoms

   if (.not. (allocated(dyn%image) .and. cell%periodic)) return
   atoms%position(:, :) = atoms%position + matmul(cell%vectors, real(dyn%image, dp))
end subroutine unwrap


!> Masses, hydrogen masses, density
subroutine complete_system(settings, box_origin, cell, atoms, start, error, masses)
   type(settings_type), intent(in) :: settings
   !> Where the box comes from, for messages
   character(len=*), intent(in) :: box_origin
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(inout) :: atoms
   type(start_type), intent(inout) :: start
   type(error_type), allocatable, intent(out) :: error
   !> Instead of standard ones, where positive
   real(dp), intent(in), optional :: masses(:)
   real(dp) :: density

   atoms%mass(:) = standard_mass(int(atoms%number))
   if (cell%periodic) then
      density = sum(atoms%mass)/volume(cell)*density_factor
      if (density > absurd_density) then
         call fatal_error(error, box_origin // ": the box of " // to_text(volume(cell)) // " cubic Angstrom gives " // &
            & "a density of " // to_text(density) // " g/cm3; nothing is denser than " // to_text(absurd_density) // &
            & ", check a-axis, b-axis and c-axis")
         return
      end if
   end if
   if (present(masses)) then
      where (masses > 0.0_dp) atoms%mass = masses
   end if
   if (.not. settings%heavy_hydrogen .or. all(atoms%number /= hydrogen)) return
   if (.not. has_bonds(atoms)) then
      call guess_bonds(atoms, cell)
      start%note = trim(start%note // " The structure has no bonds; " // to_text(size(atoms%bond)/2) // &
         & " were guessed from distances for heavy-hydrogen.")
      start%note = trim(adjustl(start%note))
   end if
   call repartition_masses(atoms)
end subroutine complete_system

end module fennix_system
