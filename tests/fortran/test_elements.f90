! SPDX-License-Identifier: MIT
!> Elements: weights, symbols, and the rule from atom names to elements.
module test_elements
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_elements, only : atomic_number, covalent_radius, element_from_name, max_number, standard_mass, symbol
   use test_runner, only : check
   implicit none
   private
   public :: test_elements_table, test_elements_spelled, test_elements_one_reading, test_elements_bonded, &
      & test_elements_undecided

contains


!> Weights of IUPAC's abridged table; symbols lead back to their numbers
subroutine test_elements_table(error)
   type(error_type), allocatable, intent(out) :: error
   integer :: z
   integer, parameter :: known(12) = [1, 6, 7, 8, 11, 16, 17, 26, 53, 79, 82, 92]
   real(dp), parameter :: mass(12) = [1.008_dp, 12.011_dp, 14.007_dp, 15.999_dp, 22.990_dp, 32.06_dp, 35.45_dp, &
      & 55.845_dp, 126.90_dp, 196.97_dp, 207.2_dp, 238.03_dp]
   integer, parameter :: weightless(7) = [43, 61, 84, 86, 89, 93, 118]

   do z = 1, max_number
      call check(error, atomic_number(symbol(z)) == z, "symbol of " // to_text(z))
   end do
   call check(error, all(abs(standard_mass(known) - mass) <= 0.0_dp), "a weight is wrong")
   call check(error, all(standard_mass(weightless) <= 0.0_dp), "an element has a weight that IUPAC does not give")
   call check(error, count(standard_mass([(z, z=1, max_number)]) > 0.0_dp) == 84, "84 elements have a standard weight")
   call check(error, abs(covalent_radius(6) - 0.76_dp) <= 0.0_dp .and. abs(covalent_radius(96) - 1.69_dp) <= 0.0_dp, &
      & "radii of carbon and curium")
   call check(error, symbol(0) == "?" .and. symbol(119) == "?" .and. atomic_number("Xx") == 0, "outside the table")
end subroutine test_elements_table


!> Spelled as an element: that element, whatever its bonds
subroutine test_elements_spelled(error)
   type(error_type), allocatable, intent(out) :: error

   call reads(error, "H", 1, 1)
   call reads(error, "Na", 0, 11)
   call reads(error, "Ca", 3, 20)
   call reads(error, "Cl", -1, 17)
   call reads(error, "Na+", 0, 11)
   call reads(error, "Cl-", -1, 17)
   call reads(error, "Ca2+", 0, 20)
   call reads(error, "O1", -1, 8)
   call reads(error, "C1'", -1, 6)
   call reads(error, "K", -1, 19)
end subroutine test_elements_spelled


!> Only one way to read it
subroutine test_elements_one_reading(error)
   type(error_type), allocatable, intent(out) :: error

   call reads(error, "OW", -1, 8)
   call reads(error, "HN", -1, 1)
   call reads(error, "OH", 2, 8)
   call reads(error, "SH", 2, 16)
   call reads(error, "1HB", -1, 1)
   call reads(error, "MG", -1, 12)
   call reads(error, "ZN", 4, 30)
   call reads(error, "HOH", -1, 1)
   call reads(error, "OXT", 1, 8)
   call reads(error, "c3", -1, 6)
   call reads(error, "Ow", 2, 8)
   call reads(error, "Qq", 1, 0)
   call reads(error, "12", 0, 0)
   call reads(error, "*", 0, 0)
end subroutine test_elements_one_reading


!> CA and its like: bonds decide
subroutine test_elements_bonded(error)
   type(error_type), allocatable, intent(out) :: error

   call reads(error, "CA", 4, 6)
   call reads(error, "CA", 0, 20)
   call reads(error, "CA+2", 0, 20)
   call reads(error, "NA", 0, 11)
   call reads(error, "NA", 2, 7)
   call reads(error, "NA+", -1, 11)
   call reads(error, "CD", 3, 6)
   call reads(error, "HO", 1, 1)
   call reads(error, "HG", 1, 1)
   call reads(error, "HE", 0, 2)
   call reads(error, "CL", 0, 17)
   call reads(error, "CL", 1, 17)
   call reads(error, "CL", 3, 6)
   call reads(error, "BR", 1, 35)
   call reads(error, "SI", 4, 14)
   call reads(error, "SE", 2, 34)
   call reads(error, "PA", 4, 15)
   call reads(error, "FE", 5, 26)
   call reads(error, "ca", 3, 6)
   call reads(error, "na", 3, 7)
end subroutine test_elements_bonded


!> Without bonds in the file nothing is guessed
subroutine test_elements_undecided(error)
   type(error_type), allocatable, intent(out) :: error
   integer :: number, readings(2)

   call element_from_name("CA", -1, number, readings)
   call check(error, number == 0 .and. all(readings == [6, 20]), "CA is carbon or calcium")
   call element_from_name("HO", -1, number, readings)
   call check(error, number == 0 .and. all(readings == [1, 67]), "HO is hydrogen or holmium")
   call element_from_name("QQ", -1, number, readings)
   call check(error, number == 0 .and. all(readings == 0), "QQ is nothing")
end subroutine test_elements_undecided


subroutine reads(error, name, n_bonds, expected)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: name
   integer, intent(in) :: n_bonds, expected
   integer :: number, readings(2)

   call element_from_name(name, n_bonds, number, readings)
   call check(error, number == expected, name // " with " // to_text(n_bonds) // " bonds was read as " // &
      & to_text(number))
end subroutine reads

end module test_elements
